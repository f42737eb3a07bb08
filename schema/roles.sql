-- SPDX-License-Identifier: Apache-2.0
-- Who there is.  Nobody here may log in: the installation gives LOGIN and a
-- SCRAM password to the program roles, so that no secret stands in a file.
do $$
declare
  r text;
begin
  foreach r in array array['ve_owner', 've_portal', 've_jobd', 've_signer', 've_gateway', 've_admin'] loop
    if not exists (select from pg_roles where rolname = r) then
      execute format('create role %I nologin noinherit', r);
    end if;
  end loop;
  execute format('grant create, connect on database %I to ve_owner', current_database());
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to ve_portal, ve_jobd, ve_signer, ve_gateway, ve_admin',
    current_database());
end
$$;
