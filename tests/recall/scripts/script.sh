# A program that is a script, found through /usr/bin/env.
tag=$1 n=$2 done=0
export PATH=/usr/bin:/bin
printf '#!/usr/bin/env python3\nimport sys\nsys.exit(int(sys.argv[2]))\n' >script
chmod 755 script
for ((i = 0; i < n; i++)); do
  ./script "$tag-$i" 7
  [ $? = 7 ] && done=$((done + 1))
done
echo "RECALL {\"case\":\"script.sh\",\"tag\":\"$tag\",\"n\":$n,\"done\":$done}"
