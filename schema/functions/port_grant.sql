-- SPDX-License-Identifier: Apache-2.0
-- A visitor asks for a VE by its name.  The grant opens its published port, and
-- wakes it when it sleeps; waking is counted for the visitor's network.
create or replace function ve.port_grant(p_name text, p_address inet) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  v ve;
  awake boolean;
begin
  select * into v from ve where hostname = p_name and deleted_at is null;
  if not found then
    raise exception using errcode = 'VE005', message = 'there is no environment of this name';
  end if;
  awake := v.state = 'running';
  if not awake and v.desired = 'running' and not rate_take('wake', network_of(p_address)::text) then
    raise exception using errcode = 'VE003', message = 'too many environments were woken from your network';
  end if;
  return grant_make(v, 'v:' || network_of(p_address), 'port')
    || jsonb_build_object('port', v.port, 'awake', awake);
end
$$;
