#include "machine/target_options.h"

#include <CLI/CLI.hpp>

#include "machine/target.h"

namespace arc::bench {

void AddTargetOptions(CLI::App& command, TargetOptions* target) {
  CLI::Option* arc = command.add_option("--arc", target->arc, "Arc to start on a fresh data folder");
  CLI::Option* url = command.add_option("--url", target->url, "server that runs already");
  arc->excludes(url);
  command.add_option("--server-arg", target->server_args, "further argument of a started `arc serve`; repeatable")
      ->allow_extra_args(false);
  command.add_option("--folder", target->folder, "where a started server's folder is made (default: TMPDIR)");
  command.add_flag("--keep", target->keep, "leave a started server's folder there");
  command.add_option("--token", target->token, "token for --url");
  command.add_option("--header", target->headers, "further \"Name: value\" of every request; repeatable")
      ->allow_extra_args(false);
  command.add_option("--server-pid", target->pid, "process of --url whose CPU time and memory are measured");
  command.add_option("--data-dir", target->data_dir, "folder of --url whose size on disk is measured");
  command.callback([&command, target] {
    if (target->arc.empty() && target->url.empty()) throw CLI::RequiredError(command.get_name() + ": --arc or --url");
  });
}

}  // namespace arc::bench
