-- SPDX-License-Identifier: Apache-2.0
-- The log cannot be rewritten without its chain showing it.
select plan(12);
select is(audit_verify(), null, 'the chain is whole');
select throws_ok('update audit set actor = ''x''', 'P0001', null, 'rows are not changed');
select throws_ok('delete from audit', 'P0001', null, 'nor deleted');
alter table audit disable trigger audit_append_only;
update audit set detail = '{"a": 1}' where id = 2;
select is(audit_verify(), 2::bigint, 'a change behind its back shows');
delete from audit where id = (select max(id) from audit);
update audit set detail = '{}' where false;
select isnt(audit_verify(), null, 'so does a missing end');
select throws_ok($$select audit_list(pg_temp.h('ann'), null)$$, 'VE011', null, 'the log is for operators');
select ok(jsonb_array_length(audit_list(pg_temp.h('op'), null)) > 2, 'who read it');
select throws_ok($$select pool_add(pg_temp.h('op'), '10.77.0.0/25', null, '')$$, 'VE016', null, 'pools do not overlap');
select throws_ok($$select pool_add(pg_temp.h('op'), 'x', null, '')$$, 'VE017', null, 'a pool is a range of addresses');
-- it is never cut, so nobody fills it
update rate_rule set most = 5 where kind = 'change';
delete from rate;
select lives_ok(format('select ve_rename(pg_temp.h(''ann''), %s, ''ann-1'', null)', pg_temp.veid('ann')), 'changes are made');
select audit_add('ann@example.net', 've.rename', pg_temp.sub('ann'), null) from generate_series(2, 5);
select throws_ok(format('select ve_rename(pg_temp.h(''ann''), %s, ''ann-6'', null)', pg_temp.veid('ann')), 'VE003', null, 'so many in an hour');
select lives_ok($$select account_login(pg_temp.sub('ann'), '192.0.2.1', pg_temp.h('ann2'))$$, 'coming and going is none');
