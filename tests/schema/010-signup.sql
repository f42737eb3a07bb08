-- SPDX-License-Identifier: Apache-2.0
-- Sign-up is one transaction: person, VE, place, job, session.
select plan(18);
select is((select count(*)::int from ve), 1, 'ann has a VE');
select is((select placed from node), 1, 'which takes a place');
select is((select kind::text from job), 'create', 'and is on its way');
select cmp_ok(pg_temp.veid('ann'), '>=', 1000, 'numbers start at 1000');
select is((select host(ipv6) from ve), 'fd00:77::' || to_hex(pg_temp.veid('ann')), 'with an IPv6 address for life');
select is(session_get(pg_temp.h('ann')) ->> 'email', 'ann@example.net', 'and she is logged in');
select throws_ok($$select pg_temp.signup('ann', 'x')$$, 'VE001', null, 'an e-mail address has one account');
select throws_ok($$select account_signup('b@example.net', pg_temp.pw(), 'none', '192.0.2.1', pg_temp.h('b'))$$,
  'VE004', null, 'an unknown template is refused');
select is((select count(*)::int from subscriber where email = 'b@example.net'), 0, 'and leaves nobody behind');
select lives_ok($$select pg_temp.signup('bob', 'bob')$$, 'the second place is given');
select is(account_admit('c@example.net', '192.0.2.1'), '"ok"', 'then the house is full');
select is(pg_temp.signup('cat', 'cat') ->> 'veid', null, 'and a sign-up has no VE');
select is((select count(*)::int from queue), 1, 'but a place in the line');
select is(account_admit('ann@example.net', '192.0.2.1'), '"taken"', 'a known address is told');
update rate_rule set most = 3 where kind = 'signup';
select is(account_admit('c@example.net', '192.0.2.99'), '"ok"', 'the third of a /24 may');
select is(account_admit('d@example.net', '192.0.2.5'), '"limited"', 'the fourth of a /24 may not');
select is(account_admit('d@example.net', '192.0.3.5'), '"ok"', 'the next /24 may');
select throws_ok($$select account_signup(E'x\n@example.net', pg_temp.pw(), 'tiny', '192.0.2.1', pg_temp.h('b'))$$,
  '23514', null, 'control bytes are no part of an address');
