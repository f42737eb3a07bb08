-- SPDX-License-Identifier: Apache-2.0
-- The places in the line of these people, and how long it may take: an object of
-- one member each; null for who is in none.
create or replace function ve.line_look(p_people bigint[]) returns jsonb
  language sql security definer stable
  set search_path = ve, pg_temp
as $$
  select coalesce(jsonb_object_agg(who.id, case when o.place is not null then
      jsonb_build_object('place', o.place, 'of', (select count(*) from queue),
        'template', o.template, 'since', iso(o.since),
        'minutes', (select greatest(1, ceil(o.place * p.seconds / 60)) from queue_pace p)) end), '{}')
    from unnest(p_people) who(id) left join queue_order o on o.subscriber_id = who.id
$$;
