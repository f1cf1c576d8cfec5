using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shop.AppHost.Running;
using Shop.Testing;

namespace Shop.AppHost.Tests;

/// <summary>A whole shop, started by Aspire.Hosting.Testing: what its parts are told, and what the dashboard's commands do.</summary>
public sealed class WholeShopTests : IAsyncLifetime
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("shop-whole-");
    private DistributedApplication _shop = null!;
    private HttpClient _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.Gateway>(
            [$"--SHOP_DATA={_data.FullName}", $"--SHOP_PORT={Ports.Free()}", "--SHOP_DASHBOARD=off", "--SHOP_DETACHED=1", "--KAFKA_HOME="], TestContext.Current.CancellationToken);
        _shop = await builder.BuildAsync(TestContext.Current.CancellationToken);
        await _shop.StartAsync(TestContext.Current.CancellationToken);
        foreach (var part in (string[])["orders", "inventory", "payments", "activity", "gateway"])
            await _shop.ResourceNotifications.WaitForResourceHealthyAsync(part, TestContext.Current.CancellationToken);
        _gateway = new() { BaseAddress = _shop.GetEndpoint("gateway", "http") };
        var token = await (await _gateway.PostAsJsonAsync("/api/dev/token", new { name = "ada" })).Content.ReadFromJsonAsync<JsonElement>();
        _gateway.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.GetProperty("access_token").GetString());
    }

    public async ValueTask DisposeAsync()
    {
        _gateway?.Dispose();
        await _shop.DisposeAsync();
        foreach (var variable in (string[])[ProcessGuard.OwnerVariable, ProcessGuard.RunnerVariable]) Environment.SetEnvironmentVariable(variable, null);
        _data.Delete(recursive: true);
    }

    [Fact]
    public async Task Parts_know_each_other_and_no_others_database_and_the_commands_do_what_they_say()
    {
        var orders = EnvironmentOf("orders");
        Assert.Matches("^Host=127.0.0.1;Port=[0-9]+;Username=orders;Password=[0-9a-f]{48};Database=orders;Maximum Pool Size=20$", orders["ConnectionStrings__orders"]);
        Assert.Matches("^127.0.0.1:[0-9]+$", orders["ConnectionStrings__kafka"]);
        Assert.Equal(("Development", 44), (orders["ASPNETCORE_ENVIRONMENT"], orders["Authentication__SigningKey"]!.Length));
        Assert.Equal(_shop.GetEndpoint("orders", "http").ToString().TrimEnd('/'), EnvironmentOf("gateway")["services__orders__http__0"]);

        await RolesOpenNoOtherDatabaseAsync();

        await OrderIsFulfilledAsync(await ExecuteAsync("gateway", "place-order"));

        var before = await OnHandAsync();
        await ExecuteAsync("inventory", "receive-goods");
        Assert.Equal(before + 100, await OnHandAsync());

        foreach (var service in (string[])["orders", "inventory", "payments", "activity"])
            Assert.Equal("0 of 0 dead letters redriven, 0 failed again", await ExecuteAsync(service, "redrive"));

        Assert.Equal("Answers take 3 s at least", await ExecuteAsync("payment-provider", "slow-down"));
        var slow = await OrderIsFulfilledAsync(await ExecuteAsync("gateway", "place-order"));
        Assert.True(slow >= TimeSpan.FromSeconds(3), $"{slow}");
        Assert.Equal("Answers take 0 s at least", await ExecuteAsync("payment-provider", "speed-up"));

        Assert.Equal(0, _shop.Services.GetRequiredService<ShopReport>().Parts.Sum(part => part.Restarts));
    }

    /// <summary>As an intruder with a service's password would try, with psql: its own tables can be read, and no other database can be opened.</summary>
    private async Task RolesOpenNoOtherDatabaseAsync()
    {
        string[] services = ["orders", "inventory", "payments", "activity"];
        foreach (var service in services)
        {
            var role = new NpgsqlConnectionStringBuilder(EnvironmentOf(service)[$"ConnectionStrings__{service}"]!);
            var own = await PsqlAsync(role, service, "SELECT count(*) >= 0, (SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls FROM pg_roles WHERE rolname = current_user) FROM outbox");
            Assert.Equal((0, "t|f"), (own.ExitCode, own.Text));
            foreach (var other in services.Where(other => other != service).Concat(["postgres", "template1"]))
            {
                var refused = await PsqlAsync(role, other, "SELECT 1");
                var expected = $"no pg_hba.conf entry for host \"127.0.0.1\", user \"{service}\", database \"{other}\"";
                Assert.True(refused.ExitCode == 2 && refused.Text.Contains(expected, StringComparison.Ordinal), $"{service} in {other}: {refused}");
            }
            // nor by what a database grants, which is all that there is on a server that is not the shop's own
            var may = await PsqlAsync(role, service, "SELECT string_agg(datname, ',') FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' AND has_database_privilege(datname, 'CONNECT')");
            Assert.Equal((0, service), (may.ExitCode, may.Text));
            // nor by the write-ahead log, in which all databases are: nobody gets all of it, and of its own database only who captures changes
            var log = await PsqlAsync(role, $"{service} replication=true", "IDENTIFY_SYSTEM");
            Assert.True(log.ExitCode == 2 && log.Text.Contains("no pg_hba.conf entry for replication connection", StringComparison.Ordinal), $"{service}: {log}");
            var changes = await PsqlAsync(role, $"{service} replication=database", "IDENTIFY_SYSTEM");
            Assert.True(service == "inventory" ? changes.ExitCode == 0 : changes.ExitCode == 2 && changes.Text.Contains("to start wal", StringComparison.OrdinalIgnoreCase), $"{service}: {changes}");
        }
    }

    private static async Task<(int ExitCode, string Text)> PsqlAsync(NpgsqlConnectionStringBuilder role, string database, string query)
    {
        var start = new ProcessStartInfo("psql", ["--no-psqlrc", "--tuples-only", "--no-align", "--command", query, "--dbname", $"dbname={database}"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in new[] { ("PGHOST", role.Host), ("PGPORT", $"{role.Port}"), ("PGUSER", role.Username), ("PGPASSWORD", role.Password) })
            start.Environment[name] = value;
        using var psql = Process.Start(start)!;
        var said = await Task.WhenAll(psql.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), psql.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await psql.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (psql.ExitCode, string.Concat(said).Trim());
    }

    private async Task<string> ExecuteAsync(string resource, string command)
    {
        var result = await _shop.ResourceCommands.ExecuteCommandAsync(resource, command, TestContext.Current.CancellationToken);
        Assert.True(result.Success, result.Message);
        return result.Message!;
    }

    /// <returns>From its submission to its authorised payment.</returns>
    private async Task<TimeSpan> OrderIsFulfilledAsync(string message)
    {
        var path = $"/api/orders/{message.Split(' ')[1]}";
        await Eventually.BecomesAsync("fulfilled", async () => (await _gateway.GetFromJsonAsync<JsonElement>(path)).GetProperty("status").GetString());
        Dictionary<string, DateTimeOffset> at = [];
        await Eventually.BecomesTrueAsync(async () =>
        {
            using var response = await _gateway.GetAsync($"{path}/timeline");
            if (!response.IsSuccessStatusCode) return false; // Activity has not heard of it yet
            at = (await response.Content.ReadFromJsonAsync<JsonElement>()).EnumerateArray().ToDictionary(e => e.GetProperty("type").GetString()!.Split('.')[2], e => e.GetProperty("at").GetDateTimeOffset());
            return at.ContainsKey("order-submitted") && at.ContainsKey("payment-authorized");
        });
        return at["payment-authorized"] - at["order-submitted"];
    }

    private async Task<int> OnHandAsync() => (await _gateway.GetFromJsonAsync<JsonElement>("/api/stock/mug-blue")).GetProperty("onHand").GetInt32();

    private Dictionary<string, string?> EnvironmentOf(string resource)
    {
        var id = _shop.Services.GetRequiredService<ShopReport>().Parts.Single(part => part.Resource.Name == resource).Id;
        Assert.True(_shop.ResourceNotifications.TryGetCurrentState(id, out var state));
        return state.Snapshot.EnvironmentVariables.ToDictionary(variable => variable.Name, variable => variable.Value);
    }
}
