-- SPDX-License-Identifier: Apache-2.0
-- Takes a ticket back for a grant.  Gone after the first look, whatever comes of it.
create or replace function ve.ticket_redeem(p_token bytea, p_veid integer, p_ticket bytea)
  returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  t ticket;
begin
  delete from ticket where token_hash = p_ticket returning * into t;
  if t.token_hash is null or t.expires_at <= now() or t.veid <> p_veid
      or not exists (select from session s where s.id = t.session_id
        and s.token_hash = p_token) then
    return jsonb_build_object('refused', true);
  end if;
  return terminal_grant(p_token, p_veid, 'tty');
end
$$;
