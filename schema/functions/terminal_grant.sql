-- SPDX-License-Identifier: Apache-2.0
-- For a live session and its own VE only: an operator does not read over a
-- subscriber's shoulder.
create or replace function ve.terminal_grant(p_token bytea, p_veid integer, p_kind text)
  returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  who record;
  v ve;
begin
  select * into who from session_require(p_token);
  if p_kind = 'port' then
    raise exception using errcode = 'VE017', message = 'a terminal is of kind tty or exec';
  end if;
  select * into v from ve where veid = p_veid and subscriber_id = who.subscriber_id
    and deleted_at is null;
  if not found then
    raise exception using errcode = 'VE005', message = 'there is no such environment';
  end if;
  return grant_make(v, 's:' || who.session_id, p_kind)
    || jsonb_build_object('session', who.session_id);
end
$$;
