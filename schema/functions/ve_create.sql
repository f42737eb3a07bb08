-- SPDX-License-Identifier: Apache-2.0
-- Another VE for a subscriber who deleted the last one.
create or replace function ve.ve_create(p_token bytea, p_template text) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  who record;
  v integer;
begin
  select * into who from session_require(p_token);
  if who.operator then
    raise exception using errcode = 'VE009', message = 'an operator account has no environment';
  end if;
  v := ve_place(who.subscriber_id, p_template);
  perform audit_add(who.email, 've.create', who.subscriber_id, v,
    jsonb_build_object('template', p_template));
  return jsonb_build_object('veid', v);
end
$$;
