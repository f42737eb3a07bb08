-- SPDX-License-Identifier: Apache-2.0
-- A stranger becomes a subscriber with a VE, placed, on its way, and logged in:
-- all of it or nothing.
create or replace function ve.account_signup(p_email text, p_password_hash text,
  p_template text, p_address inet, p_token bytea) returns jsonb
  language plpgsql security definer
  set search_path = ve, ext, pg_temp
as $$
declare
  s bigint;
  v integer;
begin
  insert into subscriber (email, created_from) values (p_email, p_address)
    on conflict (email) do nothing returning id into s;
  if s is null then
    raise exception using errcode = 'VE001', message = 'this e-mail address has an account already';
  end if;
  insert into credential (subscriber_id, password_hash) values (s, p_password_hash);
  v := ve_place(s, p_template);
  insert into session (token_hash, subscriber_id, address) values (p_token, s, p_address);
  perform confirm_ask(s, p_email, format(E'Hello,\n\nyour environment #%s is ready.\n\n', v));
  perform audit_add(p_email, 'account.signup', s, v,
    jsonb_build_object('network', network_of(p_address), 'template', p_template));
  return jsonb_build_object('subscriber', s, 'veid', v);
end
$$;
