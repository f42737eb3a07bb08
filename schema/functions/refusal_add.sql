-- SPDX-License-Identifier: Apache-2.0
-- An event "refused" of a node, once, whoever heard it.  Fifty a VE are kept.
create or replace function ve.refusal_add(p_node text, p_event bigint, p_data jsonb) returns void
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  v integer := p_data ->> 'veid';
  lo bigint := p_data ->> 'barrier';
  hi bigint := p_data ->> 'limit';
begin
  insert into refusal (veid, node_id, event_id, at, bean, held, bound, times, program)
    select v, p_node, p_event, coalesce((p_data ->> 'time')::timestamptz, now()), p_data ->> 'resource',
        (p_data ->> 'held')::bigint, case when (p_data ->> 'held')::bigint > lo then hi else lo end,
        greatest(coalesce((p_data ->> 'refused')::bigint, 1), 1),
        left(regexp_replace(coalesce(nullif(p_data ->> 'program', ''), '?'), '[[:cntrl:]]', '?', 'g'), 64)
      from ve e join bean b on b.name = p_data ->> 'resource'
      where e.veid = v and e.node_id = p_node and e.deleted_at is null
    on conflict do nothing;
  delete from refusal where veid = v and id <= (select id from refusal where veid = v order by id desc offset 50 limit 1);
end
$$;
