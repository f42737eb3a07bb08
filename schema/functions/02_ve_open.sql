-- SPDX-License-Identifier: Apache-2.0
-- A VE for somebody who has none, or a place in the line when all places are
-- taken or others wait already.  The VE's number, or null.  Two requests of one
-- person come one after the other, and so do one and who serves the line: whether
-- there is a VE is asked behind both.
create or replace function ve.ve_open(p_subscriber bigint, p_template text, p_address inet)
  returns integer
  language plpgsql
  set search_path = ve, pg_temp
as $$
begin
  perform subscriber_hold(p_subscriber);
  if not exists (select from queue_order) then
    begin
      return ve_place(p_subscriber, p_template, network_of(p_address));
    exception when sqlstate 'VE002' then
      null;
    end;
  end if;
  if not exists (select from template where name = p_template and enabled) then
    raise exception using errcode = 'VE004', message = 'there is no such template';
  end if;
  insert into queue (subscriber_id, template, network)
    values (p_subscriber, p_template, network_of(p_address));
  if exists (select from ve where subscriber_id = p_subscriber and deleted_at is null) then
    raise exception using errcode = 'VE009', message = 'you have an environment already';
  end if;
  return null;
exception when unique_violation then
  raise exception using errcode = 'VE009', message = 'you are in the line already';
end
$$;
