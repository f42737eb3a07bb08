-- SPDX-License-Identifier: Apache-2.0
-- Who leaves the line frees the place in it.
create or replace function ve.queue_leave(p_token bytea) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  who record;
begin
  select * into who from session_require(p_token);
  delete from queue where subscriber_id = who.subscriber_id;
  if not found then
    raise exception using errcode = 'VE014', message = 'you are in no line';
  end if;
  perform audit_add(who.email, 'queue.leave', who.subscriber_id, null);
  return jsonb_build_object('left', true);
end
$$;
