-- SPDX-License-Identifier: Apache-2.0
-- The name by which the world reaches a VE (its host name from its next start
-- on), and the port in it that requests for the name go to; null leaves it.
create or replace function ve.ve_rename(p_token bytea, p_veid integer, p_name text, p_port integer)
  returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  v ve;
  who record;
begin
  v := ve_require(p_token, p_veid);
  select * into who from session_require(p_token);
  if p_name !~ '^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$' or p_name ~ '^..--' then
    raise exception using errcode = 'VE017',
      message = 'a name is letters, digits and hyphens, at most 63, begins with a letter and ends with none of the hyphens';
  end if;
  if exists (select from reserved_name where name = p_name)
      or (p_name ~ '^ve[0-9]+$' and p_name <> 've' || p_veid) then
    raise exception using errcode = 'VE024', message = format('the name %s is reserved', p_name);
  end if;
  update ve set hostname = p_name, port = coalesce(p_port, port), generation = generation + 1 where veid = p_veid
    returning * into v;
  if not exists (select from job where veid = p_veid and state in ('queued', 'running')) then
    perform job_add(p_veid, 'apply');
  end if;
  perform audit_add(who.email, 've.rename', v.subscriber_id, p_veid, jsonb_build_object('name', p_name, 'port', v.port));
  return ve_json(v);
exception when check_violation then
  raise exception using errcode = 'VE017', message = 'a port is a number from 1 to 65535';
when unique_violation then
  raise exception using errcode = 'VE025', message = format('the name %s is taken', p_name);
end
$$;
