-- SPDX-License-Identifier: Apache-2.0
-- A letter with a link that confirms this person's address.  An older one that
-- is still to be sent is dropped.
create or replace function ve.confirm_ask(p_subscriber bigint, p_email text, p_words text)
  returns void
  language sql
  set search_path = ve, pg_temp
as $$
  update mail set failed_at = now(), error = 'another one took its place'
    where confirms = p_subscriber and sent_at is null and failed_at is null;
  insert into mail (recipient, subject, body, confirms)
    values (p_email, 'Please confirm your e-mail address', p_words ||
      E'Open this link to confirm that this address is yours. It is good for a day and for one use:\n\n'
      || E'{link}\n\nA confirmed address opens more: memory, disk, time.\n'
      || E'If you know nothing of this, do nothing: without the link nobody is confirmed.\n', p_subscriber);
$$;
