-- SPDX-License-Identifier: Apache-2.0
-- Writes to those whose VE goes to sleep, where its plan warns so early that a letter
-- can come in time, and to those whose VE is stopped, or packed away, within the day,
-- or within half of the time that is given to it.  Each letter has a link that puts
-- the step off.
create or replace function ve.ladder_run() returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  n integer;
begin
  with due as (
    select v.veid, v.subscriber_id, s.step, s.at from ve v join plan p on p.name = v.plan,
      lateral (
        select 'sleep' as step, v.idle_at as at, p.warn as ahead
          where v.state = 'running' and not v.idle_warned and p.warn >= interval '10 minutes'
        union all
        select 'stop', v.frozen_at + p.stop_after, least(interval '1 day', p.stop_after / 2)
          where v.state = 'frozen' and not v.frozen_warned and v.desired = 'running' and p.stop_after > interval '0'
        union all
        select 'archive', v.stopped_at + p.archive_after, least(interval '1 day', p.archive_after / 2)
          where v.state = 'stopped' and not v.stopped_warned and p.archive_after > interval '0') s
      where v.deleted_at is null and v.desired <> 'deleted' and not v.suspended
        and s.at < now() + s.ahead
      for update of v skip locked),
  marked as (
    update ve v set idle_warned = idle_warned or d.step = 'sleep', frozen_warned = frozen_warned or d.step = 'stop',
        stopped_warned = stopped_warned or d.step = 'archive'
      from due d where d.veid = v.veid),
  told as (
    insert into mail (recipient, subject, body, keeps)
      select s.email, format(case d.step when 'sleep' then 'Environment #%s goes to sleep soon'
            when 'stop' then 'Environment #%s is stopped soon'
            else 'Environment #%s is packed away soon' end, d.veid),
          format(case d.step when 'sleep'
              then E'Hello,\n\nnothing has happened in environment #%s for a while. At %s it goes to sleep: what runs in it stands still, and goes on when somebody comes.\n'
              when 'stop' then E'Hello,\n\nenvironment #%s is asleep. At %s it is stopped: what runs in it ends, every file stays.\n'
              else E'Hello,\n\nenvironment #%s is stopped. At %s it is packed away: every file stays, and its next start takes a moment longer.\n' end
            || E'To leave it as it is, open this link and press the button:\n\n{link}\n\n'
            || E'Or open its page, and do it there.\n', d.veid, iso(d.at)), d.veid
        from due d join subscriber s on s.id = d.subscriber_id
      returning 1)
  select count(*) into n from told;
  return to_jsonb(n);
end
$$;
