-- SPDX-License-Identifier: Apache-2.0
-- Writes to those whose VE is asleep and will be stopped within the day, or
-- within half of the time that is given to sleep.
create or replace function ve.ladder_run() returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  n integer;
begin
  with due as (
    update ve v set frozen_warned = true from plan p
      where p.name = v.plan and v.state = 'frozen' and not v.frozen_warned and v.deleted_at is null
        and v.desired = 'running' and p.stop_after > interval '0'
        and v.frozen_at + p.stop_after < now() + least(interval '1 day', p.stop_after / 2)
      returning v.veid, v.subscriber_id, v.frozen_at + p.stop_after as stops_at),
  told as (
    insert into mail (recipient, subject, body)
      select s.email, format('Environment #%s is stopped soon', d.veid),
          format(E'Hello,\n\nenvironment #%s is asleep. At %s it is stopped: what runs in it ends, every file stays.\n'
            || E'Open its page before, and it is awake again.\n', d.veid, iso(d.stops_at))
        from due d join subscriber s on s.id = d.subscriber_id
      returning 1)
  select count(*) into n from told;
  return to_jsonb(n);
end
$$;
