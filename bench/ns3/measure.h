// What every program here measures: CPU seconds of this process, and bytes it has allocated.
#pragma once
#include <malloc.h>
#include <sys/resource.h>

inline double CpuSeconds() {
  rusage used;
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval &t) { return t.tv_sec + t.tv_usec * 1e-6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

inline double AllocatedBytes() {
  const auto info = mallinfo2();
  return double(info.uordblks) + double(info.hblkhd);
}
