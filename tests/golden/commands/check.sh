# Histories by hand: what each of them shows stands in its name.
head=process,op,key,value,invoke_ns,complete_ns,status
put() {
    name=$1
    shift
    printf '%s\n' "$head" "$@" >"$name.csv"
}
put overlapping 1,write,x,a,0,100,ok 2,read,x,a,10,30,ok 3,read,x,nil,20,90,ok
put new_then_old 1,write,x,a,0,5,ok 1,write,x,b,10,90,ok 2,read,x,b,20,30,ok 3,read,x,a,40,50,ok
put equal_instants 1,write,x,a,0,10,ok 2,read,x,nil,10,20,ok
put from_the_future 1,read,x,a,0,10,ok 2,write,x,a,20,30,ok
put failed_but_read 1,write,x,a,0,10,fail 2,read,x,a,20,30,ok
put unknown_then_read 1,write,x,a,0,,info 2,read,x,nil,20,30,ok 2,read,x,a,40,50,ok
put unknown_flickers 1,write,x,a,0,,info 2,read,x,a,20,30,ok 2,read,x,nil,40,50,ok
put two_from_one 1,write,x,a,0,10,ok 1,cas,x,a:b,20,40,ok 2,cas,x,a:c,25,45,ok
put chain 1,cas,x,nil:a,0,10,ok 2,cas,x,a:b,5,20,ok 3,read,x,b,30,40,ok 3,cas,x,a:z,50,60,fail
put twice 1,write,x,a,0,10,ok 2,write,x,b,20,30,ok 3,write,x,a,40,50,ok 4,read,x,b,60,70,ok
put grows 1,append,x,ab,0,10,ok 2,append,x,cd,5,15,ok '3,read,x,"cdab",20,30,ok' 3,read,x,abcd,40,50,ok
put two_keys 1,write,x,a,0,10,ok 1,write,y,b,20,30,ok 2,read,x,nil,40,50,ok 2,read,y,b,60,70,ok
for case in overlapping new_then_old equal_instants from_the_future failed_but_read \
    unknown_then_read unknown_flickers two_from_one chain twice grows two_keys; do
    "$ORRERY" check $case.csv
    echo "exit $?"
done
"$ORRERY" check --cas-fail mismatch chain.csv
"$ORRERY" check --initial b new_then_old.csv twice.csv -q
"$ORRERY" check --json two_keys.csv
"$ORRERY" check --budget 2 twice.csv
echo "exit $?"
# Histories that are none.
put no_status_word 1,write,x,a,0,10,done
put ends_early 1,write,x,a,20,10,ok
put pending_ok 1,write,x,a,0,,ok
put bad_cas 1,cas,x,a,0,10,ok
put bad_op 1,push,x,a,0,10,ok
put bad_time 1,write,x,a,1.5,10,ok
printf 'process,op,key\n' >columns.csv
printf '%s\n1,write,x,"a,0,10,ok\n' "$head" >quote.csv
for case in no_status_word ends_early pending_ok bad_cas bad_op bad_time columns quote missing; do
    "$ORRERY" check $case.csv 2>&1
    echo "exit $?"
done
"$ORRERY" check --cas-fail maybe twice.csv 2>&1
