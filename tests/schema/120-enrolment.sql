-- SPDX-License-Identifier: Apache-2.0
-- A node's name and address are one node's; who comes too late is told, and holds nobody up.
select plan(12);
create function pg_temp.invite(node text, port integer) returns jsonb language sql as
  $$ select enrolment_make(pg_temp.h('op'), node, 'https://127.0.0.1:' || port, 5, pg_temp.h(node)) $$;
create function pg_temp.csr(node text) returns text language sql as $$ select repeat(node, 60) $$;
create function pg_temp.sign() returns text language plpgsql as $$
declare c jsonb := sign_claim();
begin
  perform sign_finish((c ->> 'id')::bigint, 'certificate of ' || (c ->> 'node'), null);
  return c ->> 'node';
end $$;
select is(pg_temp.invite('n5', 7500) ->> 'id', 'n5', 'a node is let in');
select throws_ok($$select pg_temp.invite('n6', 7443)$$, 'VE018', null, 'not at the address of another');
select throws_ok($$select pg_temp.invite('n6', 7500)$$, 'VE018', null, 'nor at one that another has a token for');
select lives_ok($$select pg_temp.invite('n5', 7500)$$, 'the same gets a fresh one');
select pg_temp.invite('n6', 7600);
select enrolment_ask(pg_temp.h('n5'), pg_temp.csr('n5'));
select enrolment_ask(pg_temp.h('n6'), pg_temp.csr('n6'));
select node_install('n9', 'https://127.0.0.1:7500', repeat('ef', 32), 2);
select lives_ok($$select pg_temp.sign()$$, 'its address is taken before it is signed');
select is(enrolment_take(pg_temp.h('n5')) ->> 'state', 'refused', 'it is refused');
select matches(enrolment_take(pg_temp.h('n5')) ->> 'error', 'name or address', 'and told why');
select is((select count(*)::int from node where id = 'n5'), 0, 'there is no such node');
select is(pg_temp.sign(), 'n6', 'the next comes');
select is(enrolment_take(pg_temp.h('n6')) ->> 'state', 'signed', 'and is a node');
select is(sign_claim(), null, 'nobody waits');
select lives_ok($$select pg_temp.invite('n5', 7501)$$, 'who was refused comes by another address');
