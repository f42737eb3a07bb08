-- SPDX-License-Identifier: Apache-2.0
-- The operator's account; only for whoever installs (role ve_admin).  False when
-- the account is there already, and then nothing changes.
create or replace function ve.operator_create(p_email text, p_password_hash text) returns jsonb
  language plpgsql security definer
  set search_path = ve, ext, pg_temp
as $$
declare
  s bigint;
begin
  insert into subscriber (email, role) values (p_email, 'operator')
    on conflict (email) do nothing returning id into s;
  if s is null then
    return to_jsonb(false);
  end if;
  insert into credential (subscriber_id, password_hash) values (s, p_password_hash);
  perform audit_add('installation', 'operator.create', s, null,
    jsonb_build_object('email', p_email));
  return to_jsonb(true);
end
$$;
