-- SPDX-License-Identifier: Apache-2.0
-- A stranger becomes a subscriber with a VE, placed, on its way (or with a place
-- in the line), and logged in: all of it or nothing.
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
  v := ve_open(s, p_template, p_address);
  insert into session (token_hash, subscriber_id, address) values (p_token, s, p_address);
  perform confirm_ask(s, p_email, case when v is null
    then E'Hello,\n\nall places are taken at the moment: you are in the line, and we write when it is your turn.\n\n'
    else format(E'Hello,\n\nyour environment #%s is ready.\n\n', v) end);
  perform audit_add(p_email, 'account.signup', s, v,
    jsonb_build_object('network', network_of(p_address), 'template', p_template));
  return jsonb_build_object('subscriber', s, 'veid', v, 'queue', queue_json(s));
end
$$;
