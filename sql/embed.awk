# Turns files into C string constants: one definition per file, named after it.
FNR == 1 {
  if (NR > 1) print ";"
  name = FILENAME
  sub(/^.*\//, "", name)
  gsub(/[^a-zA-Z0-9]/, "_", name)
  printf "const char sql_%s[] =\n", name
}
{
  gsub(/\\/, "\\\\")
  gsub(/"/, "\\\"")
  gsub(/\t/, "\\t")
  printf "    \"%s\\n\"\n", $0
}
BEGIN { print "#include \"sql/sql_text.h\"" }
END { print ";" }
