-- SPDX-License-Identifier: Apache-2.0
-- Log-out.  Every portal hears of it and closes this session's terminals.
create or replace function ve.session_end(p_token bytea) returns void
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  s session;
begin
  update session set ended_at = now() where token_hash = p_token and ended_at is null
    returning * into s;
  if found then
    perform pg_notify('ve_end', 'session ' || s.id);
    perform audit_add(p.email, 'account.logout', p.id, null)
      from subscriber p where p.id = s.subscriber_id;
  end if;
end
$$;
