-- SPDX-License-Identifier: Apache-2.0
-- These VEs' nodes are to hear of what changed.  Where a job is under way, what
-- the node says afterwards shows that it has not heard, and makes another.
create or replace function ve.plan_apply(p_veids integer[]) returns integer
  language plpgsql
  set search_path = ve, pg_temp
as $$
declare
  n integer;
begin
  update ve set generation = generation + 1 where veid = any(p_veids);
  with made as (
    insert into job (veid, node_id, kind)
      select v.veid, v.node_id, 'apply' from ve v join node n on n.id = v.node_id
        where v.veid = any(p_veids) and n.state <> 'revoked' and not v.suspended
          and not exists (select from job j where j.veid = v.veid and j.state in ('queued', 'running'))
      on conflict do nothing
      returning 1)
  select count(*) into n from made;
  return n;
end
$$;
