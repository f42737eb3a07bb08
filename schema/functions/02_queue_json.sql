-- SPDX-License-Identifier: Apache-2.0
-- A person's place in the line and how long it may take; null for who is in none.
create or replace function ve.queue_json(p_subscriber bigint) returns jsonb
  language sql stable
  set search_path = ve, pg_temp
as $$
  select jsonb_build_object('place', o.place, 'of', (select count(*) from queue),
      'template', o.template, 'since', iso(o.since),
      'minutes', (select greatest(1, ceil(o.place * p.seconds / 60)) from queue_pace p))
    from queue_order o where o.subscriber_id = p_subscriber
$$;
