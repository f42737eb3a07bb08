-- SPDX-License-Identifier: Apache-2.0
-- A terminal ticket: 30 seconds, one use, this session, this VE.
create or replace function ve.ticket_create(p_token bytea, p_veid integer, p_ticket bytea)
  returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  who record;
  v ve;
begin
  select * into who from session_require(p_token);
  select * into v from ve where veid = p_veid and subscriber_id = who.subscriber_id
    and deleted_at is null;
  if not found then
    raise exception using errcode = 'VE005', message = 'there is no such environment';
  end if;
  if v.desired = 'stopped' then
    raise exception using errcode = 'VE020', message = 'the environment is stopped';
  end if;
  -- a node that has not heard of it yet has better to do than to say so
  if exists (select from job where veid = p_veid and kind = 'create' and state = 'queued') then
    raise exception using errcode = 'VE006', message = 'the environment is being made';
  end if;
  delete from ticket where expires_at <= now();
  if not rate_take('ticket', 'session ' || who.session_id)
      or (select count(*) from ticket where session_id = who.session_id) >= 16 then
    raise exception using errcode = 'VE003', message = 'too many terminals at once';
  end if;
  insert into ticket (token_hash, session_id, veid) values (p_ticket, who.session_id, p_veid);
  return jsonb_build_object('veid', p_veid, 'seconds', 30);
end
$$;
