-- SPDX-License-Identifier: Apache-2.0
-- Opens a session for someone whose password was right.  Suspension is told
-- only here, where the password was right.
create or replace function ve.account_login(p_subscriber bigint, p_address inet, p_token bytea)
  returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  p subscriber;
  v integer;
begin
  select * into p from subscriber where id = p_subscriber for share;
  if not found then
    raise exception using errcode = 'VE019', message = 'e-mail address or password is wrong';
  end if;
  if p.suspended_at is not null then
    raise exception using errcode = 'VE007',
      message = 'this account is suspended: ' || p.suspended_why;
  end if;
  insert into session (token_hash, subscriber_id, address) values (p_token, p.id, p_address);
  delete from rate where kind = 'login_account'
    and key = network_of(p_address) || ' ' || p.email;
  select veid into v from ve where subscriber_id = p.id and deleted_at is null;
  perform audit_add(p.email, 'account.login', p.id, v,
    jsonb_build_object('network', network_of(p_address)));
  return jsonb_build_object('subscriber', p.id, 'role', p.role, 'veid', v);
end
$$;
