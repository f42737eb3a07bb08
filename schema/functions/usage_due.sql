-- SPDX-License-Identifier: Apache-2.0
-- The VEs of a node whose use is to be asked for: a minute has gone by since.
create or replace function ve.usage_due(p_node text) returns jsonb
  language sql security definer stable
  set search_path = ve, pg_temp
as $$
  select coalesce(jsonb_agg(d.veid), '[]')
    from (select v.veid from ve v left join usage_now u on u.veid = v.veid
      where v.node_id = p_node and v.deleted_at is null and v.state = 'running'
        and coalesce(u.at <= now() - interval '55 seconds', true)
      order by u.at nulls first limit 25) d
$$;
