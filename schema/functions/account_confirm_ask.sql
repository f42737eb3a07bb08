-- SPDX-License-Identifier: Apache-2.0
-- Another letter, a few times an hour.
create or replace function ve.account_confirm_ask(p_token bytea) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  who record;
begin
  select * into who from session_require(p_token);
  if exists (select from subscriber where id = who.subscriber_id and confirmed_at is not null) then
    raise exception using errcode = 'VE022', message = 'this address is confirmed already';
  end if;
  if not rate_take('confirm', 'subscriber ' || who.subscriber_id) then
    raise exception using errcode = 'VE003',
      message = 'that was asked for a few times already; please look for the letter, or ask again in an hour';
  end if;
  perform confirm_ask(who.subscriber_id, who.email, E'Hello,\n\n');
  perform audit_add(who.email, 'account.confirm_ask', who.subscriber_id, null);
  return jsonb_build_object('email', who.email);
end
$$;
