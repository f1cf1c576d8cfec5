using Polly;
using Shop.Contracts;
using Shop.Messaging.Workers;
using Shop.ServiceDefaults;

namespace Shop.Payments.CallingProvider;

/// <summary>Adds the calls to the payment provider.</summary>
internal static class CallingProviderExtensions
{
    /// <summary>The provider's answers are small; a longer one is not the provider's.</summary>
    private const int MaxAnswerBytes = 64 * 1024;

    /// <summary>Adds the worker; the provider's addresses are the settings <c>services:payment-provider:http:0</c>, <c>:1</c>, ..., and without any its host's name.</summary>
    public static void AddCallingProvider(this IHostApplicationBuilder builder)
    {
        // a line with a stack for each call that failed or took too long: the worker says it once for many, and the circuit when it opens
        builder.Logging.AddFilter("Polly", LogLevel.None);
        var services = builder.Services;
        var provider = services.AddHttpClient(PaymentProviderClient.Name, client =>
        {
            client.BaseAddress = new($"http://{PaymentProviderClient.Name}/");
            client.Timeout = Timeout.InfiniteTimeSpan;
            client.MaxResponseContentBufferSize = MaxAnswerBytes;
        });
        provider.AddResilienceHandler("provider", (calls, context) => calls
            .AddCircuitBreaker(context.ServiceProvider.GetRequiredService<ProviderCircuit>().Options)
            .AddTimeout(ProviderWorker.CallTimeout));
        provider.AddServiceDiscovery();
        services.AddSingleton<ProviderCircuit>();
        var tokens = builder.Configuration.GetRequired("PaymentTokens:PrivateKey", key => new PaymentTokenOpener(key));
        services.AddSingleton(tokens);
        services.AddSingleton<PaymentProviderClient>();
        services.AddSingleton<WorkSignal>();
        services.AddSingleton<WakeOnCommit>();
        services.ConfigureDbContext<PaymentsDb>((scope, options) => options.AddInterceptors(scope.GetRequiredService<WakeOnCommit>()));
        services.AddSingleton<ProviderCalls>();
        services.AddWorker<ProviderWorker>("payment provider calls");
    }
}
