-- SPDX-License-Identifier: Apache-2.0
-- Nothing about this person changes until the transaction ends; who is suspended
-- by now gets nothing.
create or replace function ve.subscriber_hold(p_subscriber bigint) returns void
  language plpgsql
  set search_path = ve, pg_temp
as $$
begin
  perform from subscriber where id = p_subscriber and suspended_at is null for no key update;
  if not found then
    raise exception using errcode = 'VE007', message = 'this account is suspended';
  end if;
end
$$;
