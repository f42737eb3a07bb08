-- SPDX-License-Identifier: Apache-2.0
-- Whoever shows the line hears when it changes.
set local search_path = ve, ext;

create function queue_tell() returns trigger
  language plpgsql set search_path = ve, pg_temp as $$
begin
  perform pg_notify('ve_line', '');
  return null;
end
$$;
create trigger queue_change after insert or delete on queue
  for each statement execute function queue_tell();
