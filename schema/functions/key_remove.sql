-- SPDX-License-Identifier: Apache-2.0
create or replace function ve.key_remove(p_token bytea, p_key bigint) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  who record;
  f text;
begin
  select * into who from session_require(p_token);
  delete from ssh_key where id = p_key and subscriber_id = who.subscriber_id
    returning fingerprint into f;
  if f is null then
    raise exception using errcode = 'VE014', message = 'there is no such ssh key';
  end if;
  perform audit_add(who.email, 'key.remove', who.subscriber_id, null,
    jsonb_build_object('fingerprint', f));
  return jsonb_build_object('fingerprint', f);
end
$$;
