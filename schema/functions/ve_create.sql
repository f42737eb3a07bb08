-- SPDX-License-Identifier: Apache-2.0
-- Another VE for a subscriber who deleted the last one.
create or replace function ve.ve_create(p_token bytea, p_template text, p_address inet)
  returns jsonb
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
  v := ve_open(who.subscriber_id, p_template, p_address);
  perform audit_add(who.email, case when v is null then 'queue.join' else 've.create' end,
    who.subscriber_id, v, jsonb_build_object('template', p_template));
  return jsonb_build_object('veid', v, 'queue', queue_json(who.subscriber_id));
end
$$;
