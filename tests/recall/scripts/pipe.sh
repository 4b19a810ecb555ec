# Data that goes from one program to the next and out.
tag=$1 n=$2 done=0
for ((i = 0; i < n; i++)); do
  printf 'data\n' | base64 -w "$((100 + i))" | curl -s -o /dev/null --data-binary @- "http://127.0.0.1:21011/$tag-$i"
  [ "${PIPESTATUS[2]}" = 7 ] && done=$((done + 1))
done
echo "RECALL {\"case\":\"pipe.sh\",\"tag\":\"$tag\",\"n\":$n,\"done\":$done}"
