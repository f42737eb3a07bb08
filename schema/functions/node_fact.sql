-- SPDX-License-Identifier: Apache-2.0
-- What a node says of itself; seen_at is what placement looks at.
create or replace function ve.node_fact(p_node text, p_facts jsonb) returns void
  language sql security definer
  set search_path = ve, pg_temp
as $$
  update node set facts = p_facts, seen_at = now() where id = p_node
$$;
