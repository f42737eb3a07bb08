-- SPDX-License-Identifier: Apache-2.0
-- Whoever comes by ssh to a VE that was stopped by hand starts it by that.  (A web
-- page does not: it may be open in a forgotten tab.)
create or replace function ve.ve_wake(p_veid integer) returns void
  language plpgsql
  set search_path = ve, pg_temp
as $$
begin
  update ve set desired = 'running', generation = generation + 1
    where veid = p_veid and desired = 'stopped' and not suspended and expires_at > now()
      and not exists (select from job j
        where j.veid = p_veid and j.state in ('queued', 'running'));
  if found then
    perform job_add(p_veid, 'start');
  end if;
end
$$;
