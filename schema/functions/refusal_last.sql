-- SPDX-License-Identifier: Apache-2.0
-- The number of the last event of a node that was written down.
create or replace function ve.refusal_last(p_node text) returns jsonb
  language sql security definer stable
  set search_path = ve, pg_temp
as $$
  select to_jsonb(event_id) from refusal where node_id = p_node order by id desc limit 1
$$;
