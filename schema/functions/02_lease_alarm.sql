-- SPDX-License-Identifier: Apache-2.0
-- What is wrong with a lease goes to the audit log, once, though its node says it
-- each time; a thousand a day of each node, for the log is never cut.  1 when it is new, else 0.
create or replace function ve.lease_alarm(p_node text, p_address inet, p_epoch bigint,
  p_veid integer, p_why text default null) returns integer
  language plpgsql
  set search_path = ve, pg_temp
as $$
begin
  if exists (select from audit where action = 'lease.alarm' and detail ->> 'node' = p_node
      and detail ->> 'address' = host(p_address) and detail ->> 'epoch' = p_epoch::text)
      or 1000 <= (select count(*) from audit where action = 'lease.alarm' and detail ->> 'node' = p_node
        and at > now() - interval '1 day') then
    return 0;
  end if;
  perform audit_add('job daemon', 'lease.alarm', null, p_veid, jsonb_strip_nulls(jsonb_build_object(
    'node', p_node, 'address', host(p_address), 'epoch', p_epoch, 'why', p_why)));
  return 1;
end
$$;
