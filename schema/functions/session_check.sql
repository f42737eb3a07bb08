-- SPDX-License-Identifier: Apache-2.0
-- What a portal asks about its open terminals after it had lost its ear: 'ok',
-- 'ended', 'suspended' or 'gone'.
create or replace function ve.session_check(p_session bigint, p_veid integer) returns jsonb
  language sql security definer stable
  set search_path = ve, pg_temp
as $$
  select to_jsonb(case
    when v.suspended or p.suspended_at is not null then 'suspended'
    when v.deleted_at is not null or v.desired = 'deleted' then 'gone'
    when s.ended_at is not null or s.expires_at <= now() then 'ended'
    else 'ok' end)
  from session s join subscriber p on p.id = s.subscriber_id
    join ve v on v.subscriber_id = p.id
  where s.id = p_session and v.veid = p_veid
$$;
