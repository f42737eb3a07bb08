-- SPDX-License-Identifier: Apache-2.0
-- What is about to happen to a VE and when, for the warning on its page; null
-- while nothing is near: sleep within its plan's time of warning, the other
-- steps within a day, or half of the time that is given to them.
create or replace function ve.ve_soon(v ve.ve, p ve.plan) returns jsonb
  language sql stable
  set search_path = ve, pg_temp
as $$
  select jsonb_build_object('what', s.what, 'at', iso(s.at)) from (
    select 'sleep' as what, v.idle_at as at, p.warn as ahead where v.state = 'running'
    union all
    select 'stop', v.frozen_at + p.stop_after, least(interval '1 day', p.stop_after / 2)
      where v.state = 'frozen' and p.stop_after > interval '0'
    union all
    select 'archive', v.stopped_at + p.archive_after, least(interval '1 day', p.archive_after / 2)
      where v.state = 'stopped' and p.archive_after > interval '0'
    union all
    select 'end', v.expires_at, least(interval '1 day', p.life / 2) where v.expires_at > now()) s
  where s.at - s.ahead <= now() and not v.suspended and v.desired <> 'deleted'
  order by s.at limit 1
$$;
