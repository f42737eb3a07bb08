-- SPDX-License-Identifier: Apache-2.0
-- One letter to send, or null.  It comes again later, after one minute, two,
-- four and so on, when nobody says that it was sent.
create or replace function ve.mail_claim() returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  m mail;
begin
  update mail set attempts = attempts + 1,
      run_at = now() + least(power(2, attempts) * interval '1 minute', interval '6 hours')
    where id = (select id from mail where sent_at is null and failed_at is null and run_at <= now()
      order by run_at limit 1 for update skip locked)
    returning * into m;
  return (select jsonb_build_object('id', m.id, 'to', m.recipient, 'subject', m.subject,
    'body', m.body, 'confirms', m.confirms is not null, 'link', case when m.confirms is not null then 'confirm' when m.keeps is not null then 'keep' else '' end) where m.id is not null);
end
$$;
