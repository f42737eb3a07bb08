-- SPDX-License-Identifier: Apache-2.0
-- Somebody opens the page of their VE.  One that sleeps is woken by that; one
-- that was stopped by hand is not.
create or replace function ve.ve_visit(p_token bytea, p_veid integer) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  v ve;
begin
  v := ve_require(p_token, p_veid);
  if v.desired <> 'running' or v.suspended or v.expires_at <= now()
      or v.state not in ('frozen', 'stopped', 'archived')
      or exists (select from job where veid = p_veid and state in ('queued', 'running'))
      or exists (select from node where id = v.node_id and state = 'revoked') then
    return to_jsonb(false);
  end if;
  perform job_add(p_veid, 'wake');
  return to_jsonb(true);
end
$$;
