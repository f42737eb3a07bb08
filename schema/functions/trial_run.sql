-- SPDX-License-Identifier: Apache-2.0
-- Warns of trials that end within a day, stops those that have ended, deletes
-- them when the grace is over.  Returns how many it touched.
create or replace function ve.trial_run() returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  r record;
  n integer := 0;
begin
  for r in
    select v.veid, v.subscriber_id, v.desired, v.expires_at, v.expired_at, v.warned_at, p.email,
        v.expires_at + l.grace <= now() as over
      from ve v join subscriber p on p.id = v.subscriber_id join plan l on l.name = v.plan
      where v.deleted_at is null and v.desired <> 'deleted'
        and not exists (select from node n where n.id = v.node_id and n.state = 'revoked')
        and v.expires_at < now() + interval '1 day'
        and (v.warned_at is null or (v.expires_at <= now() and v.expired_at is null)
          or v.expires_at + l.grace <= now())
      order by v.expires_at limit 100 for update of v skip locked
  loop
    n := n + 1;
    if r.over then
      update ve set desired = 'deleted', generation = generation + 1 where veid = r.veid;
      perform job_add(r.veid, 'delete', true);
      perform audit_add('trial', 've.delete', r.subscriber_id, r.veid);
    elsif r.expires_at <= now() then
      update ve set desired = 'stopped', generation = generation + 1, expired_at = now(),
        warned_at = coalesce(warned_at, now()) where veid = r.veid;
      if not exists (select from ve where veid = r.veid and suspended) then
        perform job_add(r.veid, 'stop', true);
      end if;
      perform pg_notify('ve_end', 've ' || r.veid || ' expired');
      perform audit_add('trial', 've.expire', r.subscriber_id, r.veid);
    else
      update ve set warned_at = now() where veid = r.veid;
      insert into mail (recipient, subject, body, keeps) values (r.email,
        format('Environment #%s stops in a day', r.veid),
        format(E'Hello,\n\nenvironment #%s stops at %s. To keep it, open this link and press the button:\n\n{link}\n',
          r.veid, iso(r.expires_at)), r.veid);
    end if;
  end loop;
  return to_jsonb(n);
end
$$;
