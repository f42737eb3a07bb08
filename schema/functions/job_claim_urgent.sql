-- SPDX-License-Identifier: Apache-2.0
-- The same, suspensions only: for the worker of a node that is never busy with
-- anything that takes long.
create or replace function ve.job_claim_urgent(p_node text, p_seconds integer) returns jsonb
  language sql security definer
  set search_path = ve, pg_temp
as $$
  select job_take(p_node, p_seconds, true)
$$;
