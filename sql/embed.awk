# Turns files into C string constants: one definition per file, named after it; and those that end in .md into the list
# of the manual's pages.
BEGIN { print "#include \"sql/sql_text.h\"" }
FNR == 1 {
  if (NR > 1) print ";"
  name = FILENAME
  sub(/^.*\//, "", name)
  page = name
  gsub(/[^a-zA-Z0-9]/, "_", name)
  if (sub(/\.md$/, "", page)) {
    pages = pages "    {\"" page "\", sql_" name "},\n"
    printf "static "
  }
  printf "const char sql_%s[] =\n", name
}
{
  gsub(/\\/, "&&")
  gsub(/"/, "\\\"")
  gsub(/\t/, "\\t")
  gsub(/\?\?/, "?\"\"?") # no trigraphs
  printf "    \"%s\\n\"\n", $0
}
END {
  print ";"
  printf "const ManualPage sql_manual[] = {\n%s    {0, 0},\n};\n", pages
}
