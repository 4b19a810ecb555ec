# A library that is loaded into another program.
tag=$1 n=$2 done=0
library=${0%/*}/../bin/preload.so
for ((i = 0; i < n; i++)); do
  LD_PRELOAD=$library /bin/true "$tag-$i" && done=$((done + 1))
done
echo "RECALL {\"case\":\"preload.sh\",\"tag\":\"$tag\",\"n\":$n,\"done\":$done}"
