using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Shop.Testing;

namespace Shop.Activity.Tests.Hosting;

/// <summary>
/// The service on each kind of broker, started when it is first asked for. Tests share it, so they use orders of their own.
/// </summary>
public sealed class ShopFixture : IAsyncLifetime
{
    private readonly PostgresFixture _postgres = new();
    private readonly BrokerFixture _brokers = new();
    private readonly Lazy<Task<RunningActivity>>[] _onBroker;

    public ShopFixture() =>
        _onBroker = [.. Enum.GetValues<Broker>().Select(broker => new Lazy<Task<RunningActivity>>(() => StartAsync(broker)))];

    public ValueTask InitializeAsync() => _postgres.InitializeAsync();

    public Task<RunningActivity> OnAsync(Broker broker) => _onBroker[(int)broker].Value;

    /// <summary>An empty database.</summary>
    public Task<string> CreateDatabaseAsync() => _postgres.CreateDatabaseAsync();

    /// <summary>A database with the service's tables, on which no instance of it runs.</summary>
    public async Task<NpgsqlDataSource> MigratedAsync()
    {
        var connection = await CreateDatabaseAsync();
        await using var db = new ActivityDbFactory().CreateDbContext([]);
        db.Database.SetConnectionString(connection);
        await db.Database.MigrateAsync(TestContext.Current.CancellationToken);
        return NpgsqlDataSource.Create(connection);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var running in _onBroker.Where(running => running.IsValueCreated))
            await (await running.Value).DisposeAsync();
        await _brokers.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    /// <summary>An instance of the service; who counts everything that happens takes a broker of its own.</summary>
    public static async Task<RunningActivity> StartAsync(string kafka, string database, params (string Name, string Value)[] settings) =>
        // WebApplicationFactory starts synchronously: on a thread of its own, so that the pool's are left to what is started
        await Task.Factory.StartNew(
            () => new RunningActivity(database, kafka, settings), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private async Task<RunningActivity> StartAsync(Broker broker) =>
        await StartAsync((await _brokers.GetAsync(broker)).BootstrapServers, await _postgres.CreateDatabaseAsync());
}

/// <summary>The service with its own Program.cs, on Kestrel and a port of its own.</summary>
public sealed class RunningActivity : IAsyncDisposable
{
    /// <summary>The key of visitors' cookies, in base64.</summary>
    public const string CookieKey = "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=";

    private readonly Factory _factory;
    private readonly HttpClient _client;

    public RunningActivity(string database, string kafka, params (string Name, string Value)[] settings)
    {
        Kafka = kafka;
        _factory = new(database, kafka, settings);
        _factory.UseKestrel();
        _factory.StartServer();
        // cookies are the tests' own business
        using var addressed = _factory.CreateClient();
        _client = new(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = addressed.BaseAddress };
    }

    /// <summary>The service's own services.</summary>
    public IServiceProvider Services => _factory.Services;

    /// <summary>Speaks to the service.</summary>
    public HttpClient Client => _client;

    public string Kafka { get; }

    public async Task<HttpResponseMessage> GetAsync(string path, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await _client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>The events of an order, or of what else the query names, oldest first.</summary>
    public async Task<JsonElement[]> TimelineAsync(string query)
    {
        using var answer = await GetAsync($"/api/activity/timeline?{query}", TestTokens.Operator());
        answer.EnsureSuccessStatusCode();
        return [.. (await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("items").EnumerateArray()];
    }

    /// <summary>A page of the feed, as an operator sees it.</summary>
    public async Task<JsonElement> FeedAsync(string query = "")
    {
        using var answer = await GetAsync($"/api/activity/feed{query}", TestTokens.Operator());
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return _factory.DisposeAsync();
    }

    /// <summary>What an operator is answered.</summary>
    public async Task<JsonElement> ReadAsync(string path)
    {
        using var answer = await GetAsync(path, TestTokens.Operator());
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
    }

    private sealed class Factory(string database, string kafka, (string Name, string Value)[] settings) : WebApplicationFactory<ActivityDb>
    {
        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            // the address is a setting: UseKestrel(port) changes it on a server that Program may have started already
            builder.UseSetting("urls", "http://127.0.0.1:0");
            builder.UseSetting("ConnectionStrings:activity", database);
            builder.UseSetting("ConnectionStrings:kafka", kafka);
            builder.UseSetting("Authentication:SigningKey", TestTokens.SigningKey);
            builder.UseSetting("Logging:LogLevel:Default", "Error");
            builder.UseSetting("Visitors:CookieKey", CookieKey);
            foreach (var (name, value) in settings)
                builder.UseSetting(name, value);
            builder.UseEnvironment("Development");
        }
    }
}
