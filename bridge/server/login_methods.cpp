#include "bridge/server/login_methods.hpp"

#include "adapters/auth/chain_authenticator.hpp"
#include "adapters/auth/credential_authenticators.hpp"
#include "adapters/auth/dev_authenticator.hpp"
#include "adapters/auth/hook_authenticator.hpp"

namespace roombus::server {

namespace {

auth::credential_options options_of(const config& settings) {
  auth::credential_options options = settings.auth.logins;
  options.name_bytes = settings.limits.name_bytes;
  return options;
}

}  // namespace

login_methods::login_methods(const config& settings, environment env)
    : checker_(options_of(settings), auth::credentials::environment{env.time, env.timers, env.log, env.metrics}) {
  std::vector<std::unique_ptr<roombus::authenticator>> methods;
  if (settings.auth.logins.jwt.configured()) methods.push_back(std::make_unique<auth::token_authenticator>(checker_));
  if (!settings.auth.logins.password.file.empty()) {
    methods.push_back(std::make_unique<auth::password_authenticator>(checker_));
  }
  if (settings.hooks.decide_logins()) methods.push_back(std::make_unique<hook_authenticator>(env.chat));
  if (settings.auth.dev) {
    methods.push_back(std::make_unique<dev_authenticator>(settings.auth.dev_list(), env.log));
  }
  if (methods.empty()) {
    env.log.write(roombus::log_level::warning, "no_login_method",
                  "no login method is configured: every login will be rejected (--dev allows logins by name from this "
                  "machine)");
  }
  chain_ = std::make_unique<auth::chain_authenticator>(std::move(methods));
}

}  // namespace roombus::server
