-- SPDX-License-Identifier: Apache-2.0
-- The same for the ssh gateway: a key's fingerprint stands in for the session.
create or replace function ve.gateway_grant(p_fingerprint text, p_veid integer, p_kind text)
  returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  k ssh_key;
  v ve;
begin
  if p_kind = 'port' then
    raise exception using errcode = 'VE017', message = 'a terminal is of kind tty or exec';
  end if;
  select v1.* into v from ssh_key k1 join subscriber p on p.id = k1.subscriber_id
      join ve v1 on v1.subscriber_id = p.id
    where k1.fingerprint = p_fingerprint and v1.veid = p_veid and v1.deleted_at is null
      and p.suspended_at is null;
  if not found then
    raise exception using errcode = 'VE005', message = 'there is no such environment';
  end if;
  if v.desired = 'stopped' then
    perform ve_wake(v.veid);
    select * into v from ve where veid = p_veid;
  end if;
  update ssh_key set used_at = now() where fingerprint = p_fingerprint returning * into k;
  return grant_make(v, 'k:' || k.id, p_kind) || jsonb_build_object('key', k.id);
end
$$;
