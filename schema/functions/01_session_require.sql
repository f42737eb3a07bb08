-- SPDX-License-Identifier: Apache-2.0
-- The session behind a cookie, or an error; the one door of everything that a
-- person may do.
create or replace function ve.session_require(p_token bytea, p_operator boolean default false,
  out session_id bigint, out subscriber_id bigint, out email text, out operator boolean)
  language plpgsql
  set search_path = ve, pg_temp
as $$
begin
  select s.id, p.id, p.email, p.role = 'operator'
    into session_id, subscriber_id, email, operator
    from session s join subscriber p on p.id = s.subscriber_id
    where s.token_hash = p_token and s.ended_at is null and s.expires_at > now()
      and s.seen_at > now() - interval '24 hours' and p.suspended_at is null;
  if not found then
    raise exception using errcode = 'VE010', message = 'you are not logged in, or your session has ended';
  end if;
  if p_operator and not operator then
    raise exception using errcode = 'VE011', message = 'this is for operators';
  end if;
  update session s set seen_at = now()
    where s.id = session_id and s.seen_at < now() - interval '1 minute';
end
$$;
