-- SPDX-License-Identifier: Apache-2.0
-- Programs call functions; they touch no table, and no function trusts its
-- caller's search path.
select plan(13);
select is_empty($$
  select r, c.relname from pg_class c, unnest(array['ve_portal','ve_jobd','ve_signer','ve_gateway','ve_admin','public']) r
    where c.relnamespace in ('ve'::regnamespace, 've_meta'::regnamespace) and c.relkind in ('r','v')
      and has_table_privilege(r, c.oid, 'select,insert,update,delete,truncate') $$,
  'no program has a right on a table or view');
select is_empty($$
  select proname from pg_proc where pronamespace = 've'::regnamespace
    and has_function_privilege('public', oid, 'execute') $$,
  'nothing is open to everybody');
select is_empty($$
  select proname from pg_proc where pronamespace = 've'::regnamespace
    and not coalesce(proconfig::text, '') ~ 'search_path=.*pg_temp' $$,
  'each function pins its search path, pg_temp last');
select is_empty($$
  select p.proname, r from pg_proc p, unnest(array['ve_portal','ve_jobd','ve_signer','ve_gateway','ve_admin']) r
    where pronamespace = 've'::regnamespace and has_function_privilege(r, p.oid, 'execute')
      and not prosecdef $$, 'what programs call runs as the owner');
select is_empty($$
  select conname, conrelid::regclass from pg_constraint where connamespace = 've'::regnamespace
    and conname !~ '_(check|fk|key|pkey|excl)$' $$, 'constraints have names of their own');
select is_empty($$
  select proname from pg_proc where pronamespace = 've'::regnamespace
    group by 1 having count(*) > 1 $$, 'one function a name');
create function pg_temp.may(r text, f text) returns boolean language sql as $$
  select has_function_privilege(r, p.oid, 'execute') from pg_proc p
    where pronamespace = 've'::regnamespace and proname = f $$;
select ok(not pg_temp.may('ve_portal', 'job_claim'), 'the portal claims no jobs');
select ok(not pg_temp.may('ve_portal', 'operator_create'), 'the portal makes no operators');
select ok(not pg_temp.may('ve_portal', 'gateway_grant'), 'the portal gets no grants for keys');
select ok(not pg_temp.may('ve_gateway', 'terminal_grant'), 'the gateway gets no grants for sessions');
select ok(not pg_temp.may('ve_jobd', 'terminal_grant'), 'the job daemon gets no grants at all');
select ok(pg_temp.may('ve_portal', 'capacity_get'), 'the portal may see the capacity');
select ok(not pg_temp.may('ve_portal', 'sign_finish'), 'the portal signs no certificates');
