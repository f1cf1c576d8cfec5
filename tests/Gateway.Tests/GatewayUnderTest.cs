using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Shop.Gateway.DevelopmentLogin;
using Shop.Testing;

namespace Shop.Gateway.Tests;

/// <summary>The gateway itself, on Kestrel and a port of its own.</summary>
public sealed class GatewayUnderTest : WebApplicationFactory<TokenRequest>
{
    private readonly string _environment;
    private readonly IReadOnlyDictionary<string, string> _settings;
    private readonly Action<IServiceCollection>? _configure;

    /// <param name="environment">Development has a signing key, Production an authority.</param>
    /// <param name="services">The instances of each service, as the AppHost passes them.</param>
    public GatewayUnderTest(string environment, params (string Service, string[] Instances)[] services) : this(environment, [], services)
    {
    }

    /// <param name="environment">Development has a signing key, Production an authority.</param>
    /// <param name="others">Other settings of the gateway.</param>
    /// <param name="services">The instances of each service, as the AppHost passes them.</param>
    public GatewayUnderTest(string environment, Dictionary<string, string> others, params (string Service, string[] Instances)[] services) : this(environment, others, null, services)
    {
    }

    /// <param name="environment">Development has a signing key, Production an authority.</param>
    /// <param name="others">Other settings of the gateway.</param>
    /// <param name="configure">Puts something else in the place of a part.</param>
    /// <param name="services">The instances of each service, as the AppHost passes them.</param>
    public GatewayUnderTest(string environment, Dictionary<string, string> others, Action<IServiceCollection>? configure, params (string Service, string[] Instances)[] services)
    {
        (_environment, _configure) = (environment, configure);
        var settings = new Dictionary<string, string>(environment == Environments.Development
            ? [new("Authentication:SigningKey", "a key for the tests that is long enough")]
            : [new("Authentication:Authority", "https://authority.example"), new("Authentication:Audience", "shop"), new("Draining:Delay", "00:00:00")]);
        foreach (var (service, instances) in services)
        {
            for (var i = 0; i < instances.Length; i++)
                settings[$"services:{service}:http:{i}"] = instances[i];
        }

        foreach (var (key, value) in others)
            settings[key] = value;
        _settings = settings;
        UseKestrel();
        StartServer();
        Client = CreateClient();
    }

    public HttpClient Client { get; }

    /// <summary>A token from the gateway, for a request's Authorization header.</summary>
    public async Task<string> TokenAsync(string name, params string[] roles)
    {
        using var response = await Client.PostAsJsonAsync("/api/dev/token", new { name, roles }, TestContext.Current.CancellationToken);
        response.EnsureSuccessStatusCode();
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        return answer.GetProperty("access_token").GetString()!;
    }

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? token = null, HttpContent? content = null)
    {
        var request = new HttpRequestMessage(method, path) { Content = content };
        if (token is not null)
            request.Headers.Authorization = new("Bearer", token);
        return Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public Task<HttpResponseMessage> GetAsync(string path, string? token = null) => SendAsync(HttpMethod.Get, path, token);

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseEnvironment(_environment);
        // the address is a setting: UseKestrel(port) changes it on a server that Program may have started already
        builder.UseSetting("urls", "http://127.0.0.1:0");
        // the pages lie beside the gateway, not beside its tests
        builder.UseSetting(WebHostDefaults.WebRootKey, Path.Combine(Repository.Root, "gateway", "wwwroot"));
        foreach (var (key, value) in _settings)
            builder.UseSetting(key, value);
        builder.ConfigureLogging(logging => logging.ClearProviders());
        if (_configure is not null)
            builder.ConfigureTestServices(_configure);
    }
}
