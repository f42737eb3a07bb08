-- SPDX-License-Identifier: Apache-2.0
-- One job of a node for p_seconds; null when there is none.
create or replace function ve.job_claim(p_node text, p_seconds integer) returns jsonb
  language sql security definer
  set search_path = ve, pg_temp
as $$
  select job_take(p_node, p_seconds, false)
$$;
